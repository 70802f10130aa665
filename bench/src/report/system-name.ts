const NAMES: Readonly<Record<string, string>> = {
  headrace: 'Headrace',
  bullmq: 'BullMQ',
  celery: 'Celery',
  sqlite: 'SQLite',
  postgres: 'PostgreSQL',
  redis: 'Redis',
}

/** `Headrace, SQLite` for `headrace:sqlite`: as a heading or a bar is labelled. */
export function shownName(system: string): string {
  return system
    .split(':')
    .map((part) => NAMES[part] ?? part)
    .join(', ')
}
