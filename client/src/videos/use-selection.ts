import { useRef, useState } from 'preact/hooks'

/** The selected items of a list. */
export type ListSelection = {
  has: (id: number) => boolean
  /** The ids of the selected items among those shown; items that are not shown are never included. */
  ids: number[]
  /** Selects or deselects an item; with `extend` also all items between it and the one changed last. */
  choose: (id: number, selected: boolean, extend: boolean) => void
  chooseAll: (selected: boolean) => void
}

/** The selection within a list; `listIds` are the ids of its items in their order. */
export function useSelection(listIds: number[]): ListSelection {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const lastChanged = useRef<number | null>(null)
  const setSelected = (ids: number[], selected: boolean) =>
    setChosen(before => new Set(selected ? [...before, ...ids] : [...before].filter(id => !ids.includes(id))))
  return {
    has: id => chosen.has(id),
    ids: listIds.filter(id => chosen.has(id)),
    choose: (id, selected, extend) => {
      const [from, to] = [lastChanged.current === null ? -1 : listIds.indexOf(lastChanged.current), listIds.indexOf(id)]
      setSelected(extend && from >= 0 ? listIds.slice(Math.min(from, to), Math.max(from, to) + 1) : [id], selected)
      lastChanged.current = id
    },
    chooseAll: selected => setSelected(listIds, selected)
  }
}
