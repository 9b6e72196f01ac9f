(() => {
  const stamp = document.documentElement.dataset.stamp;
  if (!stamp) return;
  let wait = 500;
  const look = async () => {
    try {
      const answer = await fetch(location.href, {headers: {accept: "text/plain"}, cache: "no-store"});
      if (answer.ok && (await answer.text()) !== stamp) return location.reload();
    } catch (_) { /* The next look may get through. */ }
    wait = Math.min(5000, wait * 1.3);
    setTimeout(look, wait);
  };
  setTimeout(look, wait);
})();
