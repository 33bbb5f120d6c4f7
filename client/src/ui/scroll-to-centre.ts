/** Scrolls a list sideways, and nothing else, so that one of its children is in the middle, as far as it goes. */
export function scrollToCentre(list: HTMLElement, child: HTMLElement | null): void {
  if (child) list.scrollLeft = child.offsetLeft - list.offsetLeft - (list.clientWidth - child.offsetWidth) / 2
}
