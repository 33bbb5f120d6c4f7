// Runs in a measured page before anything else (`PageMetrics` in visit.ts): records paints, layout shifts, long tasks and the first moving
// frame, and asks for a click on the play button as soon as it is drawn.
{
  const seen = (window.seen = { painted: 0, largest: 0, shifted: 0, tasks: [], pressed: null, frame: null, done: null })
  const on = (type, note) => new PerformanceObserver(list => list.getEntries().forEach(note)).observe({ type, buffered: true })
  on('paint', ({ name, startTime }) => {
    if (name === 'first-contentful-paint') seen.painted = startTime
  })
  on('largest-contentful-paint', ({ startTime }) => {
    seen.largest = startTime
  })
  // All shifts, also those after user input.
  on('layout-shift', ({ value }) => {
    seen.shifted += value
  })
  on('longtask', ({ startTime, duration }) => {
    seen.tasks.push([startTime, duration])
  })
  addEventListener(
    'play',
    ({ target }) =>
      target.requestVideoFrameCallback(() => {
        seen.frame ??= performance.now()
        window.framed('')
      }),
    true
  )
  const seek = () => {
    const button = document.querySelector('.player-start')?.getBoundingClientRect()
    if (!button || button.width === 0) return void requestAnimationFrame(seek)
    seen.pressed = performance.now()
    window.press(`${button.x + button.width / 2} ${button.y + button.height / 2}`)
  }
  requestAnimationFrame(seek)
}
