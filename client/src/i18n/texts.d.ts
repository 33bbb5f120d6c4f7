/** The texts of a language that only administration pages show; vite.config.ts puts them into a chunk of their own. */
declare module '*?admin' {
  const texts: Partial<import('./catalogue.ts').Catalogue>
  export default texts
}
