"""What people look at: colour maps, montages and the HTML shell."""
