import { useSyncExternalStore } from 'react'

export type Theme = 'system' | 'light' | 'dark'
export const THEMES: readonly Theme[] = ['system', 'light', 'dark']

const KEY = 'headrace.theme'
const listeners = new Set<() => void>()

export function currentTheme(): Theme {
  const theme = document.documentElement.dataset.theme
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

export function setTheme(theme: Theme) {
  if (theme === 'system') {
    delete document.documentElement.dataset.theme
    localStorage.removeItem(KEY)
  } else {
    document.documentElement.dataset.theme = theme
    localStorage.setItem(KEY, theme)
  }
  for (const listener of listeners) listener()
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme)
}

/** Whether the page is dark right now, by choice or by the system's. For what CSS cannot colour: canvases. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, () => {
    const theme = currentTheme()
    return theme === 'system' ? SYSTEM_DARK.matches : theme === 'dark'
  })
}

const SYSTEM_DARK = matchMedia('(prefers-color-scheme: dark)')

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  SYSTEM_DARK.addEventListener('change', listener)
  return () => {
    listeners.delete(listener)
    SYSTEM_DARK.removeEventListener('change', listener)
  }
}
