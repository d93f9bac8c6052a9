import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { loadSettings } from './settings';

describe('loadSettings', () => {
  const files = new Map<string, object>();

  beforeEach(() => {
    files.clear();
    vi.stubGlobal('fetch', async (url: string) => {
      const file = files.get(url);
      return file
        ? Response.json(file)
        : new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } });
    });
  });

  afterEach(() => vi.unstubAllGlobals());

  it('takes what the deployment says', async () => {
    files.set('/config.json', {
      apiKey: 'key',
      projectId: 'shop',
      authEmulator: 'http://127.0.0.1:9099',
      currency: 'CHF',
    });
    expect(await loadSettings()).toEqual({
      apiKey: 'key',
      projectId: 'shop',
      authDomain: undefined,
      authEmulator: 'http://127.0.0.1:9099',
      currency: 'CHF',
    });
  });

  it('asks Firebase Hosting for the rest', async () => {
    files.set('/config.json', { projectId: 'mine' });
    files.set('/__/firebase/init.json', {
      apiKey: 'hosting-key',
      projectId: 'hosting',
      emulators: { auth: { hostAndPort: '127.0.0.1:4000' } },
    });
    const settings = await loadSettings();
    expect(settings.apiKey).toBe('hosting-key');
    expect(settings.projectId).toBe('mine');
    expect(settings.authEmulator).toBe('http://127.0.0.1:4000');
  });

  it('uses no emulator unless it is told to', async () => {
    files.set('/__/firebase/init.json', { apiKey: 'key', projectId: 'shop' });
    expect((await loadSettings()).authEmulator).toBeUndefined();
  });

  it('takes a page in place of a file for a missing file', async () => {
    expect((await loadSettings()).currency).toBe('EUR');
  });
});
