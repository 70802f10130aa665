import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Ends process groups whose worker is gone, even by SIGKILL, when a worker can no longer do so itself.
 *
 * It is one `sh` for all programs of a worker, in a session of its own, that reads which groups there are from a pipe.
 * The kernel closes the pipe when the worker ends, however it ends; the shell then sends SIGTERM to each group that is left,
 * and SIGKILL a second later. It costs under 1 MB, and nothing per program but two lines on the pipe.
 *
 * Not on Windows, and not where there is no `/bin/sh`: there a program must watch HEADRACE_ALIVE_FD itself.
 */
class OrphanWatcher {
  readonly #groups = new Set<number>()
  #shell: ChildProcess | undefined

  watch(groupId: number): void {
    this.#groups.add(groupId)
    if (this.#shell) this.#tell(`+ ${groupId}`)
    else this.#start()
  }

  forget(groupId: number): void {
    this.#groups.delete(groupId)
    this.#tell(`- ${groupId}`)
  }

  get shell(): ChildProcess | undefined {
    return this.#shell
  }

  #start(): void {
    if (process.platform === 'win32') return
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'headrace-orphan-watcher'], {
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
    for (const groupId of this.#groups) this.#tell(`+ ${groupId}`)
  }

  /** Someone killed the shell: another takes over, which is told of all groups anew. */
  #replace(shell: ChildProcess, error?: Error): void {
    if (this.#shell !== shell) return
    this.#shell = undefined
    if (error)
      process.emitWarning(`Programs may outlive this worker, as /bin/sh could not be started: ${error.message}`)
    else if (this.#groups.size > 0) this.#start()
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`)
  }
}

const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
[ "$groups" = ' ' ] && exit 0
for group in $groups; do kill -s TERM -- "-$group"; done
sleep 1
for group in $groups; do kill -s KILL -- "-$group"; done
`

/** One for all programs of this worker. */
export const orphanWatcher = new OrphanWatcher()
