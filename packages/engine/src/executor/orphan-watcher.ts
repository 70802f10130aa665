import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'

/**
 * Ends the programs of a worker that is gone, even by SIGKILL, when it can no longer do so itself, and removes their folders.
 *
 * It is one `sh` for all programs of a worker, in a session of its own, that reads which there are from a pipe. The
 * kernel closes the pipe when the worker ends, however it ends; the shell then sends SIGTERM to each process group that is
 * left, and SIGKILL a second later. It costs under 1 MB, and nothing per program but two lines on the pipe.
 *
 * Not on Windows, and not where there is no `/bin/sh`: there a program must watch HEADRACE_ALIVE_FD itself.
 */
class OrphanWatcher {
  /** By process group: the name of the folder to remove with it, in the folder for temporary files; '' for none. */
  readonly #programs = new Map<number, string>()
  #shell: ChildProcess | undefined

  /** @param folder of the program's own, made by `mkdtemp` in the folder for temporary files */
  watch(groupId: number, folder: string | undefined): void {
    this.#programs.set(groupId, folder ?? '')
    if (this.#shell) this.#tell('+', groupId)
    else this.#start()
  }

  forget(groupId: number): void {
    this.#tell('-', groupId)
    this.#programs.delete(groupId)
  }

  get shell(): ChildProcess | undefined {
    return this.#shell
  }

  #start(): void {
    if (process.platform === 'win32') return
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'headrace-orphan-watcher', tmpdir()], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell = shell
    shell.on('error', (error) => this.#replace(shell, error))
    shell.on('exit', () => this.#replace(shell))
    // A broken pipe means that the shell ended, which 'exit' deals with.
    shell.stdin.on('error', () => undefined)
    shell.unref()
    if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref()
    for (const groupId of this.#programs.keys()) this.#tell('+', groupId)
  }

  /** Someone killed the shell: another takes over, which is told of all programs anew. */
  #replace(shell: ChildProcess, error?: Error): void {
    if (this.#shell !== shell) return
    this.#shell = undefined
    if (error)
      process.emitWarning(`Programs may outlive this worker, as /bin/sh could not be started: ${error.message}`)
    else if (this.#programs.size > 0) this.#start()
  }

  #tell(sign: '+' | '-', groupId: number): void {
    this.#shell?.stdin?.write(`${sign} ${groupId}:${this.#programs.get(groupId) ?? ''}\n`)
  }
}

const SCRIPT = `
trap '' HUP INT TERM
programs=' '
while read -r sign program; do
  case $sign in
    +) programs="$programs$program " ;;
    -) programs="\${programs%% $program *} \${programs#* $program }" ;;
  esac
done
[ "$programs" = ' ' ] && exit 0
for program in $programs; do kill -s TERM -- "-\${program%%:*}"; done
sleep 1
for program in $programs; do
  folder=\${program#*:}
  kill -s KILL -- "-\${program%%:*}"
  [ -n "$folder" ] && rm -rf -- "$1/$folder"
done
`

/** One for all programs of this worker. */
export const orphanWatcher = new OrphanWatcher()
