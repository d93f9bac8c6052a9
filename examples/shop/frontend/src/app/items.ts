import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable } from 'rxjs';

/** As the service tells it. */
export interface Item {
  id: number;
  name: string;
  price_cents: number;
  stock: number;
}

@Injectable({ providedIn: 'root' })
export class Items {
  private readonly http = inject(HttpClient);

  list(): Observable<Item[]> {
    return this.http.get<Item[]>('/api/items');
  }
}
