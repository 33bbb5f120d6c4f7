import { useRef, useState } from 'preact/hooks'

/** Some of a list. */
export type ListSelection = {
  has: (id: number) => boolean
  /** What is chosen of what is shown; nothing out of sight is ever meant. */
  ids: number[]
  /** Chooses one or lets it go; `far`: and everything between it and the last one that was touched. */
  choose: (id: number, on: boolean, far: boolean) => void
  chooseAll: (on: boolean) => void
}

/** Keeps what is chosen of the shown things, by their numbers. */
export function useSelection(shown: number[]): ListSelection {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const last = useRef<number | null>(null)
  const set = (ids: number[], on: boolean) =>
    setChosen(before => new Set(on ? [...before, ...ids] : [...before].filter(id => !ids.includes(id))))
  return {
    has: id => chosen.has(id),
    ids: shown.filter(id => chosen.has(id)),
    choose: (id, on, far) => {
      const [from, to] = [last.current === null ? -1 : shown.indexOf(last.current), shown.indexOf(id)]
      set(far && from >= 0 ? shown.slice(Math.min(from, to), Math.max(from, to) + 1) : [id], on)
      last.current = id
    },
    chooseAll: on => set(shown, on)
  }
}
