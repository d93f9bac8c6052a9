import { HttpErrorResponse } from '@angular/common/http';
import { signal } from '@angular/core';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { Observable, Subject, of, throwError } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { App } from './app';
import { Item, Items } from './items';
import { Session } from './session';
import { SETTINGS } from './settings';

const NOTEBOOK: Item = { id: 1, name: 'Notebook', price_cents: 490, stock: 120 };

describe('App', () => {
  const list = vi.fn<() => Observable<Item[]>>();
  const userId = signal<string | undefined>(undefined);

  beforeEach(() => {
    userId.set(undefined);
    TestBed.configureTestingModule({
      providers: [
        { provide: Items, useValue: { list } },
        { provide: Session, useValue: { userId } },
        { provide: SETTINGS, useValue: { apiKey: 'k', projectId: 'p', currency: 'EUR' } },
      ],
    });
  });

  async function render(): Promise<ComponentFixture<App>> {
    const fixture = TestBed.createComponent(App);
    await fixture.whenStable();
    return fixture;
  }

  function text(fixture: ComponentFixture<App>, selector: string): string | undefined {
    return fixture.nativeElement.querySelector(selector)?.textContent.trim();
  }

  it('shows the items that the service returned', async () => {
    list.mockReturnValue(of([NOTEBOOK, { ...NOTEBOOK, id: 2, name: 'Ink', stock: 0 }]));
    const fixture = await render();
    expect(text(fixture, '.name')).toBe('Notebook');
    expect(text(fixture, '.price')).toBe('€4.90');
    expect(text(fixture, '.stock')).toBe('120 in stock');
    expect(text(fixture, 'li:last-child .stock')).toBe('sold out');
  });

  it('says so when there is nothing', async () => {
    list.mockReturnValue(of([]));
    expect(text(await render(), '.empty')).toContain('nothing to buy');
  });

  it('waits for the items', async () => {
    const items = new Subject<Item[]>();
    list.mockReturnValue(items);
    const fixture = await render();
    expect(text(fixture, '.loading')).toContain('Loading');
    items.next([NOTEBOOK]);
    await fixture.whenStable();
    expect(text(fixture, '.loading')).toBeUndefined();
  });

  it.each([
    [new HttpErrorResponse({ status: 401 }), 'does not know you'],
    [new HttpErrorResponse({ status: 503 }), 'answered 503'],
    [new HttpErrorResponse({ status: 0 }), 'cannot be reached'],
    [new Error('auth/network-request-failed'), 'could not be signed in'],
  ])('explains a failure and tries again (%#)', async (failure, words) => {
    list.mockReturnValueOnce(throwError(() => failure)).mockReturnValueOnce(of([NOTEBOOK]));
    const fixture = await render();
    expect(text(fixture, '.problem')).toContain(words);
    fixture.nativeElement.querySelector('button').click();
    await fixture.whenStable();
    expect(text(fixture, '.name')).toBe('Notebook');
  });

  it('shows who is signed in', async () => {
    list.mockReturnValue(of([]));
    userId.set('abc123');
    expect(text(await render(), 'footer code')).toBe('abc123');
  });
});
