import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian's command, which reads with one core at a time as it is called here. Undefined where it is not installed. */
export async function tesseractVersion(): Promise<string | undefined> {
  const found = await run('tesseract', ['--version']).catch(() => undefined)
  return found && /tesseract\s+(\S+)/.exec(`${found.stdout}${found.stderr}`)?.[1]
}

/** The words that it reads in a picture. */
export async function tesseractWords(path: string): Promise<string[]> {
  const { stdout } = await run('tesseract', [path, 'stdout', '-l', 'eng'], {
    env: { ...process.env, OMP_THREAD_LIMIT: '1' },
    maxBuffer: 64_000_000,
  })
  return stdout.split(/\s+/).filter((word) => word !== '')
}
