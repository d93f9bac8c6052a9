import { CurrencyPipe } from '@angular/common';
import { HttpErrorResponse } from '@angular/common/http';
import { Component, OnInit, inject, signal } from '@angular/core';

import { Item, Items } from './items';
import { Session } from './session';
import { SETTINGS } from './settings';

@Component({
  selector: 'app-root',
  imports: [CurrencyPipe],
  templateUrl: './app.html',
  styleUrl: './app.css',
})
export class App implements OnInit {
  private readonly service = inject(Items);
  protected readonly currency = inject(SETTINGS).currency;
  protected readonly userId = inject(Session).userId;
  /** undefined: they are not here yet. */
  protected readonly items = signal<Item[] | undefined>(undefined);
  protected readonly problem = signal<string | undefined>(undefined);

  ngOnInit(): void {
    this.load();
  }

  protected load(): void {
    this.items.set(undefined);
    this.problem.set(undefined);
    this.service.list().subscribe({
      next: (items) => this.items.set(items),
      error: (error: unknown) => this.problem.set(describe(error)),
    });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof HttpErrorResponse)) {
    return 'You could not be signed in.';
  }
  if (error.status === 401 || error.status === 403) {
    return 'The shop does not know you.';
  }
  return error.status === 0 ? 'The shop cannot be reached.' : `The shop answered ${error.status}.`;
}
