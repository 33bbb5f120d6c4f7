import { vi } from 'vitest'

// Runs before each test file: what our modules remember of another file's instance is forgotten. Libraries, which take most of the time to
// load, stay.
vi.resetModules()
