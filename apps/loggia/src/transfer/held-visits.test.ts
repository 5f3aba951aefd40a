import { describe, expect, it } from 'vitest';
import type { Hit } from '@loggia/contract';
import { eventTable } from '../../test/model/events.ts';
import { HeldVisits } from './held-visits.ts';

const table = eventTable(1, 'UTC', '2026-05-01');
const at = (person: string, time: string): Hit => table.view(person, time, '/');

function taken(held: HeldVisits): readonly number[] {
  return [...held.takeReady().numbers].sort((left, right) => left - right);
}

describe('held visits', () => {
  it('are let go whole, once they are over', () => {
    const held = new HeldVisits();
    held.add(at('ada', '10:00:00'), 1);
    held.add(at('bob', '10:05:00'), 2);
    held.add(at('ada', '10:20:00'), 3);
    held.closeBefore(table.at('10:10:00'));
    expect(taken(held)).toEqual([2]);
    expect(held.pending()).toEqual([1, 3]);
    held.closeBefore(table.at('10:30:00'));
    expect(taken(held)).toEqual([1, 3]);
    expect(held.pending()).toEqual([]);
  });

  it('end where a visitor was away for too long', () => {
    const held = new HeldVisits();
    held.add(at('ada', '10:00:00'), 1);
    held.add(at('ada', '10:30:00'), 2);
    held.add(at('ada', '11:00:01'), 3);
    expect(taken(held)).toEqual([1, 2]);
    expect(held.pending()).toEqual([3]);
  });

  it('go on after midnight', () => {
    const held = new HeldVisits();
    held.add(at('ada', '2026-05-01 23:50:00'), 1);
    held.add(at('ada', '2026-05-02 00:10:00'), 2);
    held.add(at('ada', '2026-05-02 00:35:00'), 3);
    held.closeBefore(table.at('2026-05-02 00:20:00'));
    expect(held.pending()).toEqual([1, 2, 3]);
    held.closeAll();
    expect(taken(held)).toEqual([1, 2, 3]);
  });
});
