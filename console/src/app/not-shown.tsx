import { Button } from '../ui/button.tsx';
import { Empty, Page } from '../ui/layout.tsx';

/** In place of a page that failed. Loading all anew helps also when the gateway has another version of the console. */
export function NotShown() {
  return (
    <Page title="Not shown">
      <Empty
        title="This page could not be shown"
        actions={<Button onClick={() => location.reload()}>Try again</Button>}
      >
        Something in it failed. If it fails again, tell the people who run this gateway.
      </Empty>
    </Page>
  );
}
