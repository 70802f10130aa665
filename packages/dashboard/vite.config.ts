import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** `headrace serve` answers here; `vite` in development passes what is not a page on to it. */
const SERVER = process.env.HEADRACE_URL ?? 'http://127.0.0.1:8080'
const SERVER_PATHS = [
  '/session',
  '/processes',
  '/jobs',
  '/events',
  '/queues',
  '/schedules',
  '/workers',
  '/pages',
  '/layers',
  '/models',
  '/api',
  '/documents',
  '/uploads',
]

export default defineConfig({
  root: import.meta.dirname,
  base: '/app/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // A data: URL would need its own exception in the server's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The map is one chunk of a megabyte, loaded by the one page that draws it.
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: Object.fromEntries(SERVER_PATHS.map((path) => [path, SERVER])) },
})
