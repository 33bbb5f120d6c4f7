/** What the player uses of hls.js: the build leaves the rest out (vite.config.ts). */
export { default, ErrorTypes, Events, Level, M3U8Parser } from 'hls.js'
