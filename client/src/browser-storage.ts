/** Reads a JSON value from localStorage; null where it is missing or unreadable, or where storage is not allowed. */
export function readLocalStorage<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(`bobine.${key}`)
    return text === null ? null : (JSON.parse(text) as T)
  } catch {
    return null
  }
}

/** Writes a value to localStorage as JSON; null removes it. Does nothing where storage is full or not allowed. */
export function writeLocalStorage(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(`bobine.${key}`)
    else localStorage.setItem(`bobine.${key}`, JSON.stringify(value))
  } catch {
    /* private windows and full disks */
  }
}

/** Reads a value from sessionStorage; null where it is missing, or where storage is not allowed. */
export function readSessionStorage(key: string): string | null {
  // Browsers may block storage in frames of other sites.
  try {
    return sessionStorage.getItem(`bobine.${key}`)
  } catch {
    return null
  }
}

/** Writes a value to sessionStorage. Does nothing where storage is full or not allowed. */
export function writeSessionStorage(key: string, value: string): void {
  try {
    sessionStorage.setItem(`bobine.${key}`, value)
  } catch {
    /* as in writeLocalStorage */
  }
}

/** Calls `onChange` when another tab changes the value of this key in localStorage. */
export function onLocalStorageChange(key: string, onChange: () => void): void {
  addEventListener('storage', event => {
    if (event.key === `bobine.${key}` || event.key === null) onChange()
  })
}
