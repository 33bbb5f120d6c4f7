import { relative } from 'node:path'
import type { TestSequencer, TestSpecification } from 'vitest/node'
import { readTestTimes } from './times.ts'

/**
 * Runs the vitest projects one after the other, so that their processes can be reused; those that need the least first, as they give
 * results soonest. Within each the slowest files first, so that all processors finish together.
 */
export class SlowestFirstSequencer implements TestSequencer {
  readonly #times = readTestTimes()

  async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId, project }: TestSpecification) => this.#times[relative(project.vitest.config.root, moduleId)] ?? Infinity
    const projectIndex = ({ project }: TestSpecification) => project.vitest.projects.indexOf(project)
    return [...specifications].sort((a, b) => projectIndex(a) - projectIndex(b) || seconds(b) - seconds(a))
  }

  async shard(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    return specifications
  }
}
