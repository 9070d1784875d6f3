// Asks every two seconds whether somebody has decided, and then loads the page again, which goes on. Without this script the
// page loads itself again all the time, which is a nuisance to who listens to it.
"use strict";

const waiting = document.querySelector("[data-state]");

const look = async () => {
  const answer = await fetch(waiting.dataset.state);
  const decided = !answer.ok || (await answer.json()).status !== "PENDING";
  if (decided) window.location.replace(window.location.href);
  return decided;
};

const wait = () => setTimeout(() => look().then((decided) => decided || wait(), wait), 2000);

wait();
