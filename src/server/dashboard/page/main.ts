import { ApiError, request } from './api.js';
import { showCollections } from './collections-view.js';
import { askForKey } from './dialog.js';
import { h, problem, show } from './dom.js';
import { showLive } from './live-view.js';
import { showOverview } from './overview.js';
import { showPoints } from './points-view.js';
import { showQuery } from './query-view.js';
import { showRecall } from './recall-view.js';

/** A view fills its place. What it does by and by ends with the signal. */
export type View = (place: HTMLElement, name: string, signal: AbortSignal) => Promise<void> | void;

const TABS: Readonly<Record<string, { title: string; view: View }>> = {
  overview: { title: 'Overview', view: showOverview },
  points: { title: 'Points', view: showPoints },
  query: { title: 'Query', view: showQuery },
  recall: { title: 'Recall', view: showRecall },
};

const main = document.getElementById('main')!;
let shown = new AbortController();

/** `#/`, `#/live`, `#/c/<collection>/<tab>`. */
async function route(): Promise<void> {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const [, place = '', name = '', tab = 'overview'] = location.hash.split('/');
  markCurrent(place);
  const content = h('section', {});
  try {
    if (place === 'c') await showCollection(content, decodeURIComponent(name), tab, signal);
    else {
      document.title = place === 'live' ? 'Live · leandex' : 'leandex';
      show(main, content);
      await (place === 'live' ? showLive : showCollections)(content, '', signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    show(content, problem(error));
    if (!content.isConnected) show(main, content);
    if (error instanceof ApiError && error.status === 401 && (await askForKey())) await route();
  }
}

async function showCollection(
  content: HTMLElement,
  name: string,
  tab: string,
  signal: AbortSignal,
): Promise<void> {
  const { title, view } = TABS[tab] ?? TABS.overview!;
  document.title = `${name} · ${title} · leandex`;
  const links = Object.entries(TABS).map(([key, one]) =>
    h(
      'a',
      {
        href: `#/c/${encodeURIComponent(name)}/${key}`,
        'aria-current': one.title === title && 'page',
      },
      one.title,
    ),
  );
  const tabs = h('nav', { class: 'tabs', 'aria-label': 'Collection' }, ...links);
  show(main, h('h1', {}, name), tabs, content);
  await view(content, name, signal);
}

function markCurrent(place: string): void {
  for (const link of document.querySelectorAll('header nav a')) {
    const isCurrent = link.getAttribute('href') === `#/${place}`;
    if (isCurrent) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

async function showServer(): Promise<void> {
  const { commit } = await request<{ commit: string }>('GET', '/');
  show(document.getElementById('server')!, commit.replace('leandex@', ''));
}

// Not by its address, which says what is shown.
document.querySelector('.skip')!.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener('hashchange', () => void route());
document.getElementById('key')!.addEventListener('click', async () => {
  if (await askForKey()) await route();
});
showServer().catch(() => undefined);
void route();
