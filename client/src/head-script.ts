// Inlined into every page before any other script (server/pages/html-document.ts); a build entry of its own.

// The first number that a browser formats in a language is slow, because it loads the tables of the language then (30 ms, 130 ms on a slow
// phone). This happens while the style sheets are loading and the browser has nothing else to do.
new Intl.NumberFormat(document.documentElement.lang).format(1)

// A press of a button with `data-kept` is recorded as `data-pressed` at the root element; the client handles it once it has started
// (player/pending-play.ts). Already `mousedown` counts, because the button may be removed before `click`; the capture phase comes before
// every other listener.
for (const type of ['mousedown', 'click'] as const) {
  addEventListener(
    type,
    ({ button, target }) => {
      if (button === 0 && (target as Element).closest('[data-kept]')) document.documentElement.dataset.pressed = ''
    },
    true
  )
}
