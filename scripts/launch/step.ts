/** Runs an action that may take a while, and prints its name and duration. */
export type StepRunner = <T>(name: string, action: () => Promise<T> | T) => Promise<T>

/** Prints the name before the action and the duration after it: `Starting Redis ... 0.2 s`. */
export const runStep: StepRunner = async (name, action) => {
  const began = performance.now()
  process.stdout.write(`${name} ... `)
  try {
    const result = await action()
    process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1)} s\n`)
    return result
  } catch (error) {
    process.stdout.write('failed\n')
    throw error
  }
}
