import { type ChildProcess, spawn } from 'node:child_process'

/** Which descriptor of a program is open for as long as its worker lives. */
export const ALIVE_FD = 4

const IS_WINDOWS = process.platform === 'win32'

/**
 * Signals a program and all it has started. The program must have been spawned with `detached`, which makes it the
 * leader of a process group of its own. One that has left the group (a daemon, `setsid`) is not reached.
 *
 * Windows has neither groups nor SIGTERM: there, SIGTERM closes the alive descriptor, which a program may watch, and
 * SIGKILL ends the tree of processes by `taskkill`.
 */
export function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  if (IS_WINDOWS) signalTreeOnWindows(child, signal)
  else signalGroupOnPosix(child.pid, signal)
}

/** Whether a program is spawned as the leader of a group of its own. On Windows that would open a console window. */
export const IS_GROUP_LEADER = !IS_WINDOWS

function signalGroupOnPosix(groupId: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-groupId, signal)
  } catch (error) {
    // ESRCH: all have ended. EPERM: what is left has ended but is not yet reaped (macOS), or has become another user's.
    if (!isCode(error, 'ESRCH') && !isCode(error, 'EPERM')) throw error
  }
}

function signalTreeOnWindows(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (signal === 'SIGTERM') {
    child.stdio[ALIVE_FD]?.destroy()
    return
  }
  const taskkill = spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true })
  // Without taskkill at least the program itself ends.
  taskkill.on('error', () => child.kill('SIGKILL'))
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
