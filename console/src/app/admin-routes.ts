/** The pages that only admins and auditors have. */
export const adminRoutes = [] as const;
