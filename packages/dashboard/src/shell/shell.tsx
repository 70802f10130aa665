import type { PageList, SessionInfo } from '@headrace/wire'
import type { ReactNode } from 'react'
import { Link, useRoute } from 'wouter'
import { getPages, getSession } from '../data/headrace.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { Announcer } from './announcer.tsx'
import { Shortcuts } from './shortcuts.tsx'
import { setTheme, THEMES, type Theme, useTheme } from './theme.ts'
import './shell.css'

/** What is around every page: where one can go, who one is, and how it looks. */
export function Shell(props: { readonly children: ReactNode }) {
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <header className="shell-head">
        <Link href="/jobs" className="brand" aria-label="Headrace, jobs">
          <Mark />
          <span>Headrace</span>
        </Link>
        <Navigation />
        <div className="shell-foot">
          <Shortcuts />
          <ThemeChoice />
          <WhoAmI />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
      <Announcer />
    </div>
  )
}

function Navigation() {
  const { loadable } = useLoaded('pages', getPages)
  const pages = loadable.state === 'ready' ? loadable.value.pages.filter(isElsewhere) : []
  return (
    <nav aria-label="Pages">
      <ul>
        <NavigationItem href="/jobs" pattern="/jobs/*?" icon={ICONS.jobs}>
          Jobs
        </NavigationItem>
        <NavigationItem href="/map" pattern="/map" icon={ICONS.map}>
          Map
        </NavigationItem>
        <NavigationItem href="/documents" pattern="/documents/*?" icon={ICONS.documents}>
          Documents
        </NavigationItem>
        <NavigationItem href="/models" pattern="/models" icon={ICONS.models}>
          Models
        </NavigationItem>
        <NavigationItem href="/processes" pattern="/processes/*?" icon={ICONS.processes}>
          Processes
        </NavigationItem>
        <NavigationItem href="/queues" pattern="/queues" icon={ICONS.queues}>
          Queues
        </NavigationItem>
        <NavigationItem href="/schedules" pattern="/schedules" icon={ICONS.schedules}>
          Schedules
        </NavigationItem>
        <NavigationItem href="/workers" pattern="/workers" icon={ICONS.workers}>
          Workers
        </NavigationItem>
        {pages.map((page) => (
          <li key={page.id}>
            <a href={page.path}>
              {ICONS.page}
              {page.title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** The pages of this program are listed above already. */
function isElsewhere(page: PageList['pages'][number]): boolean {
  return !page.path.startsWith('/app/')
}

function NavigationItem(props: {
  readonly href: string
  readonly pattern: string
  readonly icon: ReactNode
  readonly children: ReactNode
}) {
  const [isHere] = useRoute(props.pattern)
  return (
    <li>
      <Link href={props.href} aria-current={isHere ? 'page' : undefined}>
        {props.icon}
        {props.children}
      </Link>
    </li>
  )
}

function ThemeChoice() {
  const theme = useTheme()
  return (
    <fieldset className="theme-choice">
      <legend className="visually-hidden">Colours</legend>
      {THEMES.map((one) => (
        <label key={one} title={THEME_WORDS[one]}>
          <input type="radio" name="theme" value={one} checked={theme === one} onChange={() => setTheme(one)} />
          {THEME_ICONS[one]}
          <span className="visually-hidden">{THEME_WORDS[one]}</span>
        </label>
      ))}
    </fieldset>
  )
}

function WhoAmI() {
  const { loadable } = useLoaded<SessionInfo>('session', getSession)
  if (loadable.state !== 'ready') return null
  return (
    <p className="who">
      <span title={`Scopes: ${loadable.value.scopes.join(', ')}`}>{loadable.value.owner}</span>
      <span className="muted">v{loadable.value.version}</span>
    </p>
  )
}

const THEME_WORDS: Readonly<Record<Theme, string>> = {
  system: 'Colours as the system has them',
  light: 'Light colours',
  dark: 'Dark colours',
}

function icon(children: ReactNode): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      {children}
    </svg>
  )
}

const ICONS = {
  jobs: icon(<path d="M3 5.500h2M8 5.500h9M3 10h2m3 0h9M3 14.500h2m3 0h9" />),
  map: icon(<path d="m2.500 5 5-2 5 2 5-2v12l-5 2-5-2-5 2zM7.500 3v12m5-10v12" />),
  documents: icon(<path d="M5 2.500h7l3.500 3.500v11.500H5zM12 2.500V6h3.500M7.500 10h5m-5 3h5" />),
  models: icon(
    <path d="M4 6.500a2 2 0 1 0 0-.01M4 14a2 2 0 1 0 0-.01M16 10a2 2 0 1 0 0-.01M6 6.500l8 3M6 13.500l8-3" />,
  ),
  processes: icon(<path d="M4 3h8l4 4v10H4zM12 3v4h4M7 11l2 2-2 2m3.500 0H13" />),
  queues: icon(<path d="M3 10h3m2 0h3m2 0h4m-3-3 3 3-3 3M4 5h6M4 15h6" />),
  schedules: icon(<path d="M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm0 3.500V10l2.500 2" />),
  workers: icon(<path d="M3 4h14v4.500H3zm0 7.500h14V16H3zM6 6.250h.01M6 13.750h.01" />),
  page: icon(<path d="M4 4h12v12H4zM4 8h12" />),
}

const THEME_ICONS: Readonly<Record<Theme, ReactNode>> = {
  system: icon(<path d="M3 4h14v9H3zm4 12.500h6M10 13v3.500" />),
  light: icon(
    <path d="M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM10 2v1.500m0 13V18M2 10h1.500m13 0H18M4.300 4.300l1.100 1.100m9.200 9.200 1.100 1.100m0-11.400-1.100 1.100m-9.200 9.200-1.100 1.100" />,
  ),
  dark: icon(<path d="M16.500 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500z" />),
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M6 11c4-4 6 0 10 0s6-4 10 0" />
      <path d="M6 17.500c4-4 6 0 10 0s6-4 10 0" opacity=".8" />
      <path d="M6 24c4-4 6 0 10 0s6-4 10 0" opacity=".55" />
    </svg>
  )
}
