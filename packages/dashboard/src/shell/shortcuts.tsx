import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { Dialog } from './dialog.tsx'

const KEY = 'headrace.shortcuts'

/** Single keys can be switched off (WCAG 2.1.4): speech input would set them off by accident. */
export function areShortcutsOn(): boolean {
  return localStorage.getItem(KEY) !== 'off'
}

const SHORTCUTS: readonly { readonly keys: readonly string[]; readonly what: string }[] = [
  { keys: ['/'], what: 'Search' },
  { keys: ['j', '↓'], what: 'Next row' },
  { keys: ['k', '↑'], what: 'Previous row' },
  { keys: ['Enter'], what: 'Open the row' },
  { keys: ['x'], what: 'Select the row (jobs)' },
  { keys: ['→', '←'], what: 'Unfold and fold (timeline)' },
  { keys: ['g', 'j'], what: 'Go to jobs' },
  { keys: ['g', 'm'], what: 'Go to the map' },
  { keys: ['n', 'p'], what: 'Next and previous hit (a document)' },
  { keys: ['g', 'd'], what: 'Go to documents' },
  { keys: ['g', 'o'], what: 'Go to models' },
  { keys: ['g', 'p'], what: 'Go to processes' },
  { keys: ['g', 'q'], what: 'Go to queues' },
  { keys: ['g', 's'], what: 'Go to schedules' },
  { keys: ['g', 'w'], what: 'Go to workers' },
  { keys: ['?'], what: 'These shortcuts' },
]

const PLACES: Readonly<Record<string, string>> = {
  d: '/documents',
  j: '/jobs',
  m: '/map',
  o: '/models',
  p: '/processes',
  q: '/queues',
  s: '/schedules',
  w: '/workers',
}

/** Keys that work anywhere, and the list of all keys. */
export function Shortcuts() {
  const [isOpen, setOpen] = useState(false)
  const [, navigate] = useLocation()
  const afterG = useRef(false)

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || !areShortcutsOn()) return
      const place = afterG.current ? PLACES[event.key] : undefined
      afterG.current = event.key === 'g'
      if (place) {
        event.preventDefault()
        event.stopImmediatePropagation()
        navigate(place)
      } else if (event.key === '?') {
        event.preventDefault()
        setOpen(true)
      } else if (event.key === '/') focusSearch(event)
    }
    // Capturing, so that the j of "g j" does not also move a row.
    window.addEventListener('keydown', onKeyDown, true)
    return () => window.removeEventListener('keydown', onKeyDown, true)
  }, [navigate])

  return (
    <>
      <button type="button" className="quiet nav-button" onClick={() => setOpen(true)}>
        <kbd>?</kbd> Shortcuts
      </button>
      <Dialog isOpen={isOpen} onClose={() => setOpen(false)} title="Keyboard shortcuts">
        <dl className="shortcut-list">
          {SHORTCUTS.map((shortcut) => (
            <div key={shortcut.what}>
              <dt>
                {shortcut.keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{shortcut.what}</dd>
            </div>
          ))}
        </dl>
        <ShortcutSwitch />
        <div className="dialog-actions">
          <button type="button" onClick={() => setOpen(false)}>
            Close
          </button>
        </div>
      </Dialog>
    </>
  )
}

function ShortcutSwitch() {
  const [isOn, setOn] = useState(areShortcutsOn)
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => {
          setOn(event.target.checked)
          localStorage.setItem(KEY, event.target.checked ? 'on' : 'off')
        }}
      />
      Single-key shortcuts are on. Arrows, Enter and Tab always work.
    </label>
  )
}

function focusSearch(event: KeyboardEvent) {
  const search = document.querySelector<HTMLInputElement>('[data-search]')
  if (!search) return
  event.preventDefault()
  search.focus()
  search.select()
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type=checkbox],[type=radio],[type=range]), textarea, select, [contenteditable]')
  )
}
