import { signal } from '@preact/signals'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'

const { connection } = navigator as { connection?: { saveData?: boolean } }

/**
 * Whether little is loaded ahead, and nothing before play is pressed: what the viewer chose in the settings of the player, else what they told
 * their browser (Save-Data).
 */
export const dataSaver = signal(readLocalStorage<boolean>('dataSaver') ?? connection?.saveData === true)

/** Switches the data saver on or off, and saves that in this browser. */
export function setDataSaver(on: boolean): void {
  dataSaver.value = on
  writeLocalStorage('dataSaver', on)
}
