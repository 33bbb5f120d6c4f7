import { vi } from 'vitest'

// Runs before each test file: resets the modules of this project, which hold the state of the instance of another file. Libraries, which
// take most of the time to load, are kept.
vi.resetModules()
