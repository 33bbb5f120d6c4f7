/** A value kept in this browser; anything unreadable is as good as nothing, and so is a full or forbidden storage. */
export function readLocalStorage<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(`bobine.${key}`)
    return text === null ? null : (JSON.parse(text) as T)
  } catch {
    return null
  }
}

/** Keeps a value in this browser; null forgets it. */
export function writeLocalStorage(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(`bobine.${key}`)
    else localStorage.setItem(`bobine.${key}`, JSON.stringify(value))
  } catch {
    /* private windows and full disks: what is not kept is asked again */
  }
}

/** A value kept in this tab until it is closed. */
export function readSessionStorage(key: string): string | null {
  // Inside other sites' pages the storage may be closed altogether.
  try {
    return sessionStorage.getItem(`bobine.${key}`)
  } catch {
    return null
  }
}

/** Keeps a value in this tab until it is closed. */
export function writeSessionStorage(key: string, value: string): void {
  try {
    sessionStorage.setItem(`bobine.${key}`, value)
  } catch {
    /* it is asked again */
  }
}

/** Calls back when another tab of this browser changes the value. */
export function onLocalStorageChange(key: string, act: () => void): void {
  addEventListener('storage', event => {
    if (event.key === `bobine.${key}` || event.key === null) act()
  })
}
