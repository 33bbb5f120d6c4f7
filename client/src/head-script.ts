// Inside every page, before any other script (server/pages/html-document.ts), built by itself.

// The first number a browser writes in a language costs it long (its tables are read then: 30 ms, 130 ms on a slow phone), so it does that
// while the styles are on their way and it has nothing else to do.
new Intl.NumberFormat(document.documentElement.lang).format(1)

// A press of a button marked `data-kept` is noted at the root for the client, which answers it when it takes over (player/pending-play.ts):
// already where it begins, as the button may be gone where it ends, and before anybody else hears of it.
for (const type of ['mousedown', 'click'] as const) {
  addEventListener(
    type,
    ({ button, target }) => {
      if (button === 0 && (target as Element).closest('[data-kept]')) document.documentElement.dataset.pressed = ''
    },
    true
  )
}
