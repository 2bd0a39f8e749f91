/** Whether an application is being developed here, as far as it tells: `NODE_ENV` is not `production`. */
export function isDevelopment(): boolean {
  return process.env.NODE_ENV !== 'production'
}
