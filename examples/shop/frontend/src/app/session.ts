import { Injectable, inject, signal } from '@angular/core';
import { initializeApp } from 'firebase/app';
import {
  Auth,
  browserLocalPersistence,
  connectAuthEmulator,
  inMemoryPersistence,
  indexedDBLocalPersistence,
  initializeAuth,
  signInAnonymously,
} from 'firebase/auth';

import { SETTINGS } from './settings';

/** The visitor, signed in anonymously. The same visitor is known again at the next visit. */
@Injectable({ providedIn: 'root' })
export class Session {
  private readonly settings = inject(SETTINGS);
  private readonly auth = this.createAuth();
  private signingIn: Promise<void> | undefined;

  /** The id of the visitor; undefined until the first token was asked for. */
  readonly userId = signal<string | undefined>(undefined);

  /** The visitor's ID token; signs in first, and refreshes the token when it is about to expire. */
  async token(): Promise<string> {
    this.signingIn ??= this.signIn();
    try {
      await this.signingIn;
    } catch (error) {
      this.signingIn = undefined; // the next request tries again
      throw error;
    }
    const user = this.auth.currentUser;
    if (!user) {
      throw new Error('nobody is signed in');
    }
    this.userId.set(user.uid);
    return user.getIdToken();
  }

  private async signIn(): Promise<void> {
    await this.auth.authStateReady();
    if (!this.auth.currentUser) {
      await signInAnonymously(this.auth);
    }
  }

  private createAuth(): Auth {
    const { apiKey, projectId, authDomain, authEmulator } = this.settings;
    const auth = initializeAuth(initializeApp({ apiKey, projectId, authDomain }), {
      persistence: [indexedDBLocalPersistence, browserLocalPersistence, inMemoryPersistence],
    });
    if (authEmulator) {
      connectAuthEmulator(auth, authEmulator, { disableWarnings: true });
    }
    return auth;
  }
}
