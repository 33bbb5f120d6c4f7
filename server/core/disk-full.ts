const DISK_FULL_CODES = ['ENOSPC', 'EDQUOT', 'disk_full']

/** Whether an error says that a disk, or what a quota leaves of it, is full: one of a system call, or of a program (`disk_full`). */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && DISK_FULL_CODES.includes(String((error as NodeJS.ErrnoException).code))
}
