// What the threads of process/document-tasks.ts run: one module, so that each thread loads its libraries once and keeps
// its OCR engine warm.
import type { ThreadJob } from '@headrace/engine'
import { type AssembleInput, assemble } from '../assemble/assemble.ts'
import { openDocument } from './open-document.ts'
import { readPage } from './read-page.ts'
import type { OpenInput, PageInput, Surroundings } from './work.ts'

/** What a thread is given: the job's input, what this machine adds, and where the artifacts lie that it reads. */
export type ThreadWork = Surroundings & { readonly paths: { readonly [artifact: string]: string } } & (
    | { readonly open: OpenInput }
    | { readonly page: PageInput }
    | { readonly assemble: AssembleInput }
  )

export default function work(work: ThreadWork, job: ThreadJob): Promise<unknown> {
  const pathOf = (artifact: string): string => {
    const path = work.paths[artifact]
    if (path === undefined) throw new Error(`${artifact} was not brought to the thread.`)
    return path
  }
  if ('open' in work) return openDocument(work.open, work, pathOf, job)
  if ('page' in work) return readPage(work.page, work, pathOf, job)
  return assemble(work.assemble, work, pathOf, job)
}
