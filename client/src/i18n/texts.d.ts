/** The texts of a language that only the pages of the administration show: vite.config.ts cuts them off. */
declare module '*?admin' {
  const texts: Partial<import('./catalogue.ts').Catalogue>
  export default texts
}
