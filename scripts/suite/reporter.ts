import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node'
import type { TestFileResult, TestFailure } from './results.ts'

/** A vitest reporter that writes the results of each file as JSON (TestFileResult[]) into the file that BOBINE_TEST_RESULTS names. */
export default class Results implements Reporter {
  readonly #began = new Map<string, number>()
  readonly #seconds = new Map<string, number>()
  #root = ''

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root
  }

  onTestModuleQueued({ id }: TestModule): void {
    this.#began.set(id, performance.now())
  }

  onTestModuleEnd({ id }: TestModule): void {
    this.#seconds.set(id, (performance.now() - (this.#began.get(id) ?? NaN)) / 1000)
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env.BOBINE_TEST_RESULTS
    if (!file) return
    const results = modules.map(module => this.#resultOf(module))
    // An error outside of any test belongs to no file.
    if (errors.length > 0)
      results.push({
        path: '(outside of the tests)',
        seconds: 0,
        passed: 0,
        skipped: 0,
        failed: errors.map(({ message }) => ({ name: 'unhandled error', message: firstLine(message) })),
        secondTries: []
      })
    writeFileSync(file, JSON.stringify(results))
  }

  #resultOf(module: TestModule): TestFileResult {
    const tests = [...module.children.allTests()]
    const states = tests.map(test => test.result().state)
    const failed = tests.filter(test => test.result().state === 'failed').map(toFailure)
    // A file that fails to load, or whose hooks fail, may have no failed test.
    const broken =
      module.state() === 'failed' && failed.length === 0
        ? [{ name: '(the whole file)', message: firstLine(module.errors()[0]?.message ?? suiteError(module)) }]
        : []
    return {
      path: relative(this.#root, module.moduleId),
      seconds: this.#seconds.get(module.id) ?? 0,
      passed: states.filter(state => state === 'passed').length,
      skipped: states.filter(state => state === 'skipped').length,
      failed: [...failed, ...broken],
      secondTries: tests.filter(test => test.diagnostic()?.flaky).map(toFailure)
    }
  }
}

function toFailure(test: TestCase): TestFailure {
  return { name: test.fullName, message: firstLine(test.result().errors?.[0]?.message) }
}

function suiteError(module: TestModule): string | undefined {
  return [...module.children.allSuites()].flatMap(suite => suite.errors())[0]?.message
}

function firstLine(text = ''): string {
  return text.split('\n')[0]!
}
