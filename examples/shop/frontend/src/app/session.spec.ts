import { TestBed } from '@angular/core/testing';
import { deleteApp, getApps } from 'firebase/app';
import { getAuth } from 'firebase/auth';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Session } from './session';
import { SETTINGS, Settings } from './settings';

const EMULATOR = 'http://127.0.0.1:9099';

function idToken(): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: 'visitor', user_id: 'visitor', iat: now, exp: now + 3600 };
  return ['{"alg":"none"}', JSON.stringify(claims), ''].map((part) => btoa(part)).join('.');
}

/** The real SDK, asking a stand-in for Firebase's servers. */
describe('Session', () => {
  const server = vi.fn<(url: string) => Response>();

  beforeEach(() => {
    vi.stubGlobal('fetch', async (url: string) => server(String(url)));
    server.mockReset().mockImplementation((url) =>
      url.includes('accounts:signUp')
        ? Response.json({ idToken: idToken(), refreshToken: 'refresh', expiresIn: '3600', localId: 'visitor' })
        : Response.json({ users: [{ localId: 'visitor' }] }),
    );
    const settings: Settings = { apiKey: 'key', projectId: 'shop', currency: 'EUR', authEmulator: EMULATOR };
    TestBed.configureTestingModule({ providers: [{ provide: SETTINGS, useValue: settings }] });
  });

  /** The SDK of Node keeps its users in memory, for all applications of a process. */
  afterEach(async () => {
    await Promise.all(getApps().map((app) => getAuth(app).signOut().then(() => deleteApp(app))));
    vi.unstubAllGlobals();
  });

  function signUps(): string[] {
    return server.mock.calls.map(([url]) => url).filter((url) => url.includes('accounts:signUp'));
  }

  it('signs in at the emulator, once', async () => {
    const session = TestBed.inject(Session);
    const tokens = await Promise.all([session.token(), session.token()]);
    expect(tokens[0]).toBe(tokens[1]);
    expect(session.userId()).toBe('visitor');
    expect(signUps()).toEqual([
      `${EMULATOR}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=key`,
    ]);
  });

  it('tries again after a failure', async () => {
    server.mockReturnValueOnce(
      Response.json({ error: { code: 400, message: 'ADMIN_ONLY_OPERATION' } }, { status: 400 }),
    );
    const session = TestBed.inject(Session);
    await expect(session.token()).rejects.toThrow('admin-restricted-operation');
    expect(session.userId()).toBeUndefined();
    await session.token();
    expect(session.userId()).toBe('visitor');
  });
});
