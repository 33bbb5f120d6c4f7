/** Returns the language tag (BCP 47) of the query parameter `subtitle`, the captions to start with; undefined for anything else. */
export function parseSubtitle(text: string | null | undefined): string | undefined {
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.exec(text ?? '')?.[0]
}
