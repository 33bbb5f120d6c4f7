/** The exports of hls.js that the player uses; the build removes unused controllers (vite.config.ts). */
export { default, ErrorTypes, Events, Level, M3U8Parser } from 'hls.js'
