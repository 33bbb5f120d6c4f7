/** The texts of a language that only some pages show; vite.config.ts puts them into chunks of their own. */
declare module '*?admin' {
  const texts: Partial<import('./catalogue.ts').Catalogue>
  export default texts
}
declare module '*?creator' {
  const texts: Partial<import('./catalogue.ts').Catalogue>
  export default texts
}
