/** The logo, a gate in a wall: the icon of both pages. Its colours are visible on light and dark backgrounds. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <path fill="#3b5bdb" d="M2 6h5v4h4V6h4v4h2V6h4v4h4V6h5v22h-9v-7a5 5 0 0 0-10 0v7H2z"/>
  <path fill="#f08c00" d="M13.5 28v-7a2.5 2.5 0 0 1 5 0v7z"/>
</svg>
`;
