import { LinkButton } from '../ui/button.tsx';
import { Empty, Page } from '../ui/layout.tsx';

/** For addresses that lead to no page. */
export function NotFound() {
  return (
    <Page title="Not found">
      <Empty title="There is no such page" actions={<LinkButton to="/">My servers</LinkButton>}>
        The address may be mistyped, or what it showed may have been deleted.
      </Empty>
    </Page>
  );
}
