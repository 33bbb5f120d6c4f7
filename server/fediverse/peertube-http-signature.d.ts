declare module '@peertube/http-signature' {
  const library: unknown
  export default library
}
