/** Whether play was pressed in the server-rendered page, before the player loaded (head-script.ts); true only once for a press. */
export function consumePendingPlay(): boolean {
  const { dataset } = document.documentElement
  const pressed = 'pressed' in dataset
  delete dataset.pressed
  return pressed
}
