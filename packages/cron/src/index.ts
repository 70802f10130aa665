export { readCron } from './read-cron.ts'
