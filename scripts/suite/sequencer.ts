import { relative } from 'node:path'
import type { TestSequencer, TestSpecification } from 'vitest/node'
import { readTestTimes } from './times.ts'

/**
 * Projects one after the other, so that their processes can be used again; those that need least first, as they tell soonest. Within each
 * the slowest file first, so that all processors end together.
 */
export class SlowestFirstSequencer implements TestSequencer {
  readonly #times = readTestTimes()

  async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId, project }: TestSpecification) => this.#times[relative(project.vitest.config.root, moduleId)] ?? Infinity
    const place = ({ project }: TestSpecification) => project.vitest.projects.indexOf(project)
    return [...specifications].sort((a, b) => place(a) - place(b) || seconds(b) - seconds(a))
  }

  async shard(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    return specifications
  }
}
