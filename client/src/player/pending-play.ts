/** Whether play was pressed in the page the server wrote, before there was a player (head-script.ts); it serves once. */
export function consumePendingPlay(): boolean {
  const { dataset } = document.documentElement
  const kept = 'pressed' in dataset
  delete dataset.pressed
  return kept
}
