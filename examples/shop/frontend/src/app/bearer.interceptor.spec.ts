import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { bearerInterceptor } from './bearer.interceptor';
import { Session } from './session';

describe('bearerInterceptor', () => {
  const token = vi.fn<() => Promise<string>>();
  let http: HttpClient;
  let backend: HttpTestingController;

  beforeEach(() => {
    token.mockReset().mockResolvedValue('id-token');
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(withInterceptors([bearerInterceptor])),
        provideHttpClientTesting(),
        { provide: Session, useValue: { token } },
      ],
    });
    http = TestBed.inject(HttpClient);
    backend = TestBed.inject(HttpTestingController);
  });

  it('sends the token to the API', async () => {
    http.get('/api/items').subscribe();
    await vi.waitFor(() => {
      const { request } = backend.expectOne('/api/items');
      expect(request.headers.get('Authorization')).toBe('Bearer id-token');
    });
  });

  it.each(['/config.json', 'https://elsewhere.example/api/items', '/apis'])(
    'sends no token to %s',
    (url) => {
      http.get(url).subscribe();
      expect(backend.expectOne(url).request.headers.has('Authorization')).toBe(false);
      expect(token).not.toHaveBeenCalled();
    },
  );

  it('sends nothing when nobody could be signed in', async () => {
    token.mockRejectedValue(new Error('no network'));
    const failed = vi.fn();
    http.get('/api/items').subscribe({ error: failed });
    await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
    backend.expectNone('/api/items');
  });
});
