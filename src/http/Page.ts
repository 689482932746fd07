/** The routes of the page, beside those of the API. */
export const PAGE_ROUTES = [{ path: "/", methods: ["GET"] }] as const
