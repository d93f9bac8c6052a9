import { InjectionToken } from '@angular/core';

/** What differs between environments: one build serves all of them. */
export interface Settings {
  apiKey: string;
  projectId: string;
  authDomain?: string;
  /** Where the Firebase Auth emulator answers, such as http://127.0.0.1:9099; absent: Firebase itself. */
  authEmulator?: string;
  /** Of the prices. */
  currency: string;
}

export const SETTINGS = new InjectionToken<Settings>('settings');

/** What Firebase Hosting tells every page of a site about its project. */
interface HostingConfig {
  apiKey?: string;
  projectId?: string;
  authDomain?: string;
  emulators?: { auth?: { hostAndPort?: string } };
}

/** A file that is missing is an empty one: a single-page application's host answers with index.html instead. */
async function readJson<T extends object>(url: string): Promise<Partial<T>> {
  const response = await fetch(url, { cache: 'no-store' });
  const isJson = response.headers.get('content-type')?.includes('json');
  return response.ok && isJson ? ((await response.json()) as T) : {};
}

/** /config.json is written when the site is deployed; what it leaves open, Firebase Hosting itself knows. */
export async function loadSettings(): Promise<Settings> {
  const [hosting, deployed] = await Promise.all([
    readJson<HostingConfig>('/__/firebase/init.json'),
    readJson<Settings>('/config.json'),
  ]);
  const emulator = hosting.emulators?.auth?.hostAndPort;
  return {
    apiKey: deployed.apiKey ?? hosting.apiKey ?? 'unset',
    projectId: deployed.projectId ?? hosting.projectId ?? 'unset',
    authDomain: deployed.authDomain ?? hosting.authDomain,
    authEmulator: deployed.authEmulator ?? (emulator ? `http://${emulator}` : undefined),
    currency: deployed.currency ?? 'EUR',
  };
}
